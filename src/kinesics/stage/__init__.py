"""The stage: people who do not exist, with known intent and perfect labels."""
