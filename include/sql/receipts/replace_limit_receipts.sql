-- Stores receipts in place of earlier ones of the same account-sessions.
-- Grain: one row per account and session. Writes: limit_receipts.
-- Binds: receipts (JSON array of objects by column name, numbers as decimal text). Money: US dollars, exact.
-- Rerun: the same rows.
insert into derived.limit_receipts
select incoming.* -- noqa: AM04
from jsonb_populate_recordset(null::derived.limit_receipts, %(receipts)s::jsonb) as incoming
on conflict (account_id, session_date) do update set
    inputs_sha256 = excluded.inputs_sha256,
    policy_version = excluded.policy_version,
    limit_usd = excluded.limit_usd,
    limit_source = excluded.limit_source,
    limit_since = excluded.limit_since,
    limit_count = excluded.limit_count,
    largest_loss_usd = excluded.largest_loss_usd,
    largest_loss_at = excluded.largest_loss_at,
    loss_from_top_usd = excluded.loss_from_top_usd,
    use_ratio = excluded.use_ratio,
    final_usd = excluded.final_usd,
    outcome = excluded.outcome,
    hit_kind = excluded.hit_kind,
    hit_at = excluded.hit_at,
    hit_symbol = excluded.hit_symbol,
    hit_price = excluded.hit_price,
    hit_before_usd = excluded.hit_before_usd,
    hit_after_usd = excluded.hit_after_usd,
    furthest_usd = excluded.furthest_usd,
    enlarging_fill_count = excluded.enlarging_fill_count,
    minutes_until_flat = excluded.minutes_until_flat,
    breach_reasons = excluded.breach_reasons;
