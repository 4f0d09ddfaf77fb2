-- The one definition of which delivery of an account-session counts, as known at an instant, and whose it is.
-- Grain: one row per delivered account and session; two of merged accounts may be one account's. Reads: deliveries,
-- renamed_accounts. Writes: -. Binds: -. Money: -. Rerun: applied once.
-- Newest is what the source published last, or what we recorded last where the source does not say.
-- account_id: the name the person has now, so that history follows the person.
-- A plain SQL function, so that the planner inlines it: a condition on session_date reaches the index.
create or replace function current_deliveries(as_of timestamptz)
returns table (
    delivery_id bigint,
    load_id bigint,
    file_name text,
    account_id text,
    session_date date,
    content_sha256 text,
    published_at timestamptz,
    recorded_at timestamptz,
    row_count bigint,
    loaded_count bigint,
    rejected_count bigint,
    duplicate_count bigint
)
language sql
stable
parallel safe
as $$
    select
        newest.delivery_id,
        newest.load_id,
        newest.file_name,
        coalesce(renamed.account_id, newest.account_id) as account_id,
        newest.session_date,
        newest.content_sha256,
        newest.published_at,
        newest.recorded_at,
        newest.row_count,
        newest.loaded_count,
        newest.rejected_count,
        newest.duplicate_count
    from (
        select distinct on (known.account_id, known.session_date)
            known.delivery_id,
            known.load_id,
            known.file_name,
            known.account_id,
            known.session_date,
            known.content_sha256,
            known.published_at,
            known.recorded_at,
            known.row_count,
            known.loaded_count,
            known.rejected_count,
            known.duplicate_count
        from deliveries as known
        where known.recorded_at <= current_deliveries.as_of
        order by
            known.account_id,
            known.session_date,
            coalesce(known.published_at, known.recorded_at) desc,
            known.delivery_id desc
    ) as newest
    left join renamed_accounts(current_deliveries.as_of) as renamed
        on
            newest.account_id = renamed.former_account_id
            and newest.session_date >= renamed.starts_at
            and newest.session_date < renamed.ends_before
$$;
