"""Tool calls by way of text: what models write when their calls do not come as calls, and how it is read.

    cursor, strings   read a text that may not be complete yet; asking for more is an exception
    lenient           JSON as models write it, every repair noted
    shapes            a decoded value → calls, by the keys that models use
    dialects          the families and their openers; tags, tokens, plain and pythonic read them
    holdback          the stream: prose goes out at once, what could be a call waits
    fitting           a call → the tool and the schema that it meant
    forms, prompt     tools, example and history in the model's own dialect
    mode              the seam of the providers (`TextMode`), one way a model
    feedback          what a model is told whose call could not be run, and the schema of the second try
    calling           the provider around all of it: probe, retry, constrained retry

Nothing here decides by the name of a model.
"""
