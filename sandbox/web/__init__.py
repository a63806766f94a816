"""The workspace in the browser: a page of plain JavaScript modules over the control API and an event stream."""
