//! The OpenAPI 3.1 document, from the table.

/// The document as JSON text.
pub fn openapi_json() -> String {
    String::new()
}
