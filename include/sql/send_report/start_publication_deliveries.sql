-- Stores an attempt to mail something about a publication, before it is made; touches no row if the recipient has it.
-- Grain: one row per publication, kind and recipient. Writes: publication_deliveries.
-- Rerun: counts one more attempt.
insert into risk.publication_deliveries as known (
    publication_id,
    kind,
    recipient,
    message_id,
    attempt_count
)
values (
    %(publication_id)s,
    %(kind)s,
    %(recipient)s,
    %(message_id)s,
    1
)
on conflict (publication_id, kind, recipient) do update set
    message_id = excluded.message_id,
    attempt_count = known.attempt_count + 1
where known.sent_at is null;
