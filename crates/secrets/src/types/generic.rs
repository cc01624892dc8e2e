//! Any JSON value, exactly as it came, or any bytes.

use crate::fields;
use crate::payload::Value;
use crate::store_type::{Accepted, StoreType, TypeError};
use serde::Deserialize;
use strongroom_model::JsonText;

pub(super) static TYPE: Generic = Generic;

pub(super) struct Generic;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

impl StoreType for Generic {
    fn number(&self) -> u8 {
        1
    }

    fn name(&self) -> &'static str {
        "generic"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["Generic_Secret"]
    }

    fn about(&self) -> &'static str {
        "any JSON value to the byte, or any bytes, to 1 MiB"
    }

    fn check_settings(&self, settings: &JsonText) -> Result<(), TypeError> {
        fields::read_text::<NoSettings>("settings", settings).map(drop)
    }

    fn accept(&self, _: &Value, _: Option<&Value>) -> Result<Accepted, TypeError> {
        Ok(Accepted::as_it_came())
    }

    fn examples(&self) -> Vec<String> {
        ["null", "9007199254740993", "\"text\"", "{\"a\":[1,2.50]}"].map(str::to_owned).into()
    }
}
