"""The suite language: strict YAML with positions, inheritance, profiles and matrices, checked against settings."""
