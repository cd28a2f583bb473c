//! The JSON Schema of the file for editors, made from the table of keys.

use super::json::Json;
use super::key::Described as _;
use super::keys;

/// `packaging/appctl.schema.json`, JSON Schema draft 2020-12.
pub fn schema() -> String {
    let mut members = vec![
        ("$schema", Json::text("https://json-schema.org/draft/2020-12/schema")),
        ("title", Json::text("appctl app")),
    ];
    members.extend(keys::APP.schema().into_members());
    format!("{}\n", Json::Object(members))
}

#[cfg(test)]
mod tests {
    use snapbox::{Assert, Data};

    #[test]
    fn the_packaged_schema_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/appctl.schema.json");
        let packaged = Data::read_from(&path, Some(snapbox::data::DataFormat::Text));
        Assert::new()
            .action_env("SNAPSHOTS")
            .eq(super::schema(), packaged.raw());
    }
}
