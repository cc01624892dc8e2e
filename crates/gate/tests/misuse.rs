//! What must not compile.

#[test]
fn what_would_go_around_the_gate_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
