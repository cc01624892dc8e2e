//! What collector and query share: configuration, secrets folder, enrolment, clients of authority and exchange.
