"""The life of a generation: draft, confirm, submit, observe, settle, deliver; read the files in that order."""
