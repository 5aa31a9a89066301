"""The prediction service: HTTP around airloop.serving.answering."""
