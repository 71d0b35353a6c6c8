# Runs the whole suite on Windows: where the temporary directory is, on a Dev Drive (ReFS) and on NTFS,
# each in a VHDX of its own. (`cargo xtask`, which has the lanes, needs Linux.) Needs an administrator.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..')

$packages = '-p', 'copyist-sys', '-p', 'copyist-start', '-p', 'copyist', '-p', 'copyist-cli'
$failed = @()

function Test-Suite($name, $arguments) {
    Write-Host "== $name"
    cargo test --no-fail-fast @packages -- --show-output @arguments
    if ($LASTEXITCODE -ne 0) { $script:failed += $name }
}

# diskpart makes VHDX files without Hyper-V's modules.
function Invoke-Diskpart($lines) {
    $script = New-TemporaryFile
    Set-Content $script $lines
    diskpart /s $script
    $code = $LASTEXITCODE
    Remove-Item $script
    if ($code -ne 0) { throw "diskpart, $code`: $lines" }
}

Test-Suite 'the temporary directory' @()
# These have nothing of a volume in them, and take long.
$once = '--skip', 'sim::sweep::', '--skip', 'sim::planted::', '--skip', 'sim::crash::'
$before = $env:TMP, $env:TEMP

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
        Test-Suite $volume.Name $once
    } finally {
        Remove-Item Env:COPYIST_EXPECTED_FS -ErrorAction SilentlyContinue
        $env:TMP, $env:TEMP = $before
        # Somebody (a virus scanner) may still be looking at it: the machine is thrown away anyway.
        try {
            Invoke-Diskpart "select vdisk file=""$image""", 'detach vdisk'
            Remove-Item $image
        } catch {
            Write-Warning "not detached: $_"
        }
    }
}

if ($failed) { throw "failed on: $($failed -join ', ')" }
