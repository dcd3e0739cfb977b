"""The harness from elsewhere: wire, server, client (optional extra)."""
