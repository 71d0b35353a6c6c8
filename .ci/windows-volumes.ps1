# Runs the whole suite on Windows: where the temporary directory is, on a Dev Drive (ReFS) and on NTFS,
# each in a VHDX of its own. (`cargo xtask`, which has the lanes, needs Linux.) Needs an administrator.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..')

$packages = '-p', 'copyist-sys', '-p', 'copyist', '-p', 'copyist-cli'
$failed = @()

function Test-Suite($name) {
    Write-Host "== $name"
    cargo test --no-fail-fast @packages -- --show-output
    if ($LASTEXITCODE -ne 0) { $script:failed += $name }
}

# diskpart makes VHDX files without Hyper-V's modules.
function Invoke-Diskpart($lines) {
    $script = New-TemporaryFile
    Set-Content $script $lines
    diskpart /s $script
    if ($LASTEXITCODE -ne 0) { throw "diskpart: $lines" }
    Remove-Item $script
}

Test-Suite 'the temporary directory'

foreach ($volume in @(
        @{ Name = 'ReFS'; Letter = 'R'; Format = { Format-Volume -DriveLetter R -DevDrive -Confirm:$false } },
        @{ Name = 'NTFS'; Letter = 'N'; Format = { Format-Volume -DriveLetter N -FileSystem NTFS -Confirm:$false } })) {
    # A Dev Drive has at least 50 GB; the file grows with what is written.
    $image = Join-Path $env:RUNNER_TEMP "copyist-$($volume.Name).vhdx"
    Invoke-Diskpart "create vdisk file=""$image"" maximum=61440 type=expandable", 'attach vdisk',
        'convert gpt', 'create partition primary', "assign letter=$($volume.Letter)"
    try {
        & $volume.Format | Format-List
        $is = (Get-Volume -DriveLetter $volume.Letter).FileSystemType
        if ($is -ne $volume.Name) { throw "$($volume.Letter): is $is, not $($volume.Name)" }
        $tmp = "$($volume.Letter):\tmp"
        New-Item -ItemType Directory $tmp | Out-Null
        $env:TMP = $env:TEMP = $tmp
        $env:COPYIST_EXPECTED_FS = $volume.Name
        Test-Suite $volume.Name
    } finally {
        Remove-Item Env:COPYIST_EXPECTED_FS -ErrorAction SilentlyContinue
        $env:TMP = $env:TEMP = $env:RUNNER_TEMP
        Invoke-Diskpart "select vdisk file=""$image""", 'detach vdisk'
        Remove-Item $image
    }
}

if ($failed) { throw "failed on: $($failed -join ', ')" }
