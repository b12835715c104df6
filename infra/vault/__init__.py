"""What people do with secrets: keys, rotation, credentials, the audit."""
