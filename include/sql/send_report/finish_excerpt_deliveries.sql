-- Stores the outcome of an attempt to mail an excerpt: the error, or that the mail server accepted it.
-- Grain: one row per run, group and recipient.
-- Writes: excerpt_deliveries.
-- Binds: last_error; null = accepted, and the mail is never sent again. answer: how the server accepted it.
-- Rerun: keeps the first instant of acceptance and the last error.
update risk.excerpt_deliveries set
    last_error = %(last_error)s,
    answer = case when %(last_error)s::text is null then %(answer)s else excerpt_deliveries.answer end,
    sent_at = case
        when %(last_error)s::text is null then coalesce(excerpt_deliveries.sent_at, clock_timestamp())
        else excerpt_deliveries.sent_at
    end
where
    excerpt_deliveries.run_id = %(run_id)s
    and excerpt_deliveries.group_name = %(group_name)s
    and excerpt_deliveries.recipient = %(recipient)s;
