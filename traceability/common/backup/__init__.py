"""Backup and restore of a whole house: one snapshot of every table, and its files, in one encrypted file (ADR 0008)."""
