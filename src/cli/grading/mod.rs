//! What grading keeps on the disk, and the reports made from it. Needs nothing that
//! records: `merge` works on every system.

pub mod merge;
pub mod reports;
pub mod results;
