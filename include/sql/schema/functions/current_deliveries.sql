-- A plain SQL function, so that the planner inlines it: a condition on session_date or source_account_id reaches the
-- index of the deliveries, one on the present name does not.
-- Sessions are sorted first: loads come in their order, and texts are compared only within one.
create function risk.current_deliveries(as_of timestamptz)
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
    duplicate_count bigint,
    lost_count bigint,
    stated_count bigint,
    source_account_id text
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
        newest.duplicate_count,
        newest.lost_count,
        newest.stated_count,
        newest.account_id as source_account_id
    from (
        select distinct on (deliveries.session_date, deliveries.account_id)
            deliveries.delivery_id,
            deliveries.load_id,
            deliveries.file_name,
            deliveries.account_id,
            deliveries.session_date,
            deliveries.content_sha256,
            deliveries.published_at,
            deliveries.recorded_at,
            deliveries.row_count,
            deliveries.loaded_count,
            deliveries.rejected_count,
            deliveries.duplicate_count,
            deliveries.lost_count,
            deliveries.stated_count
        from risk.deliveries
        where
            deliveries.recorded_at <= current_deliveries.as_of
            and not exists (
                select
                from risk.withdrawn_deliveries(current_deliveries.as_of) as withdrawn
                where withdrawn.delivery_id = deliveries.delivery_id
            )
        order by
            deliveries.session_date,
            deliveries.account_id,
            coalesce(deliveries.published_at, deliveries.recorded_at) desc,
            deliveries.delivery_id desc
    ) as newest
    left join risk.renamed_accounts(current_deliveries.as_of) as renamed
        on
            newest.account_id = renamed.former_account_id
            and newest.session_date >= renamed.starts_at
            and newest.session_date < renamed.ends_before
$$;

comment on function risk.current_deliveries(timestamptz) is
'The delivery of each account-session that counts, as known at an instant: what the source published last, or '
'what was recorded last where the source does not say; none that a person has withdrawn. account_id: the present '
'name, so that history follows renames; source_account_id: the account as the source names it, by which a condition '
'is faster. Grain: one row per delivered account and session; two of merged accounts may belong to one account.';
