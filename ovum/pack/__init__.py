"""`ovum pack`: a program as what firmware, hypervisors and clusters start; docs/shipping.md."""
