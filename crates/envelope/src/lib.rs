//! Batches, sealed records, their chain and signatures; keys wrapped for members.
