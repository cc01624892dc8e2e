//! The PEP, the waist of the house: the only maker of permits.
