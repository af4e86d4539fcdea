//! The JSON Schema of the document, generated from the types.

use schemars::generate::SchemaSettings;

use super::Report;

/// The JSON Schema (draft 2020-12) that every report fulfils.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report>()
        .to_value()
}
