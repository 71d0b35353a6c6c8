//! The owner of a file of a simulated Windows: no numbers there, but a record, which the simulator
//! makes of its own numbers.

use super::world::Node;
use crate::system::Attribute;

/// The record.
pub(super) fn of(node: &Node) -> Vec<u8> {
    [node.uid.to_le_bytes(), node.gid.to_le_bytes()].concat()
}

/// What setting a record means.
pub(super) fn attribute(record: &[u8]) -> Attribute {
    let number = |at: usize| {
        let four = record.get(at..at + 4)?;
        Some(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    };
    Attribute::Owner {
        uid: number(0),
        gid: number(4),
    }
}
