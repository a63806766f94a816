"""Use cases that handlers call: submission, preview, authorization, sync, revalidation, uploads."""
