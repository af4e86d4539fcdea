//! The report: the serde model of the JSON and its builder. A rendering of the
//! Trace and the outcomes; decides nothing.
