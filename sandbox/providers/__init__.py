"""The five providers as stateful servers, written from their contracts."""
