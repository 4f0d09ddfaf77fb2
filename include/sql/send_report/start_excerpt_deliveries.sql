-- Stores an attempt to mail an excerpt, before it is made; touches no row if the recipient has the excerpt.
-- Grain: one row per run, group and recipient. Writes: excerpt_deliveries.
-- Rerun: counts one more attempt.
insert into risk.excerpt_deliveries as known (
    run_id,
    group_name,
    recipient,
    message_id,
    attempt_count
)
values (
    %(run_id)s,
    %(group_name)s,
    %(recipient)s,
    %(message_id)s,
    1
)
on conflict (run_id, group_name, recipient) do update set
    attempt_count = known.attempt_count + 1
where known.sent_at is null;
