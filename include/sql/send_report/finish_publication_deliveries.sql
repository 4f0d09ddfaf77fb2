-- Stores the outcome of an attempt to mail something about a publication: the error, or that the server accepted it.
-- Grain: one row per publication, kind and recipient.
-- Writes: publication_deliveries.
-- Binds: last_error; null = accepted, and the mail is never sent again. answer: how the server accepted it.
-- Rerun: keeps the first instant of acceptance and the last error.
update risk.publication_deliveries set
    last_error = %(last_error)s,
    answer = case when %(last_error)s::text is null then %(answer)s else publication_deliveries.answer end,
    sent_at = case
        when %(last_error)s::text is null then coalesce(publication_deliveries.sent_at, clock_timestamp())
        else publication_deliveries.sent_at
    end
where
    publication_deliveries.publication_id = %(publication_id)s
    and publication_deliveries.kind = %(kind)s
    and publication_deliveries.recipient = %(recipient)s;
