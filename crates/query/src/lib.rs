//! Searches the exchange, opens and checks what it finds.
