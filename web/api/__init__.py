"""One short module per resource: decode, validate, call, answer. No policy, no access rules."""
