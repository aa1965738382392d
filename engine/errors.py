"""The error that people may read."""


class UserError(Exception):
    """Something the user can mend: the message is one sentence that says what is wrong and what helps."""
