-- Sums the checked records up to deliveries; what the manifest names and no record mentions is an empty delivery.
-- Grain: one row per file, account and session. Reads: checked_fills, staged_entries. Writes: staged_deliveries.
-- Binds: through_session_date. Money: -. Rerun: gone with its transaction.
-- content_sha256 covers the multiset of the records, good and bad, and not their order: the same records in another
-- order are the same content. (Sum of hashes: Bellare and Micciancio 1997, AdHash.)
create unlogged table staging.staged_deliveries as
with summed as (
    select
        checked_fills.file_number,
        checked_fills.account_id,
        checked_fills.session_date,
        count(*) as row_count,
        count(*) filter (where checked_fills.codes is null) as loaded_count,
        count(*) filter (where checked_fills.codes = 'duplicate') as duplicate_count,
        sum(checked_fills.content_hash) as content_sum
    from checked_fills
    where
        checked_fills.account_id is not null
        and checked_fills.session_date is not null
    group by
        checked_fills.file_number,
        checked_fills.account_id,
        checked_fills.session_date
),

due as (
    select
        staged_entries.file_number,
        staged_entries.account_id,
        staged_entries.session_date,
        staged_entries.published_at
    from staged_entries
    where staged_entries.session_date <= %(through_session_date)s
)

select
    due.published_at,
    coalesce(summed.file_number, due.file_number) as file_number,
    coalesce(summed.account_id, due.account_id) as account_id,
    coalesce(summed.session_date, due.session_date) as session_date,
    coalesce(summed.row_count, 0) as row_count,
    coalesce(summed.loaded_count, 0) as loaded_count,
    coalesce(summed.duplicate_count, 0) as duplicate_count,
    coalesce(summed.row_count - summed.loaded_count - summed.duplicate_count, 0) as rejected_count,
    encode(
        sha256(convert_to(concat(coalesce(summed.row_count, 0), ':', summed.content_sum), 'UTF8')), 'hex'
    ) as content_sha256,
    null::boolean as is_new,
    null::bigint as delivery_id
from summed
full outer join due
    on
        summed.file_number = due.file_number
        and summed.account_id = due.account_id
        and summed.session_date = due.session_date;
