-- Deliveries are not materialized, so that a condition on session_date reaches them.
-- The keys are collected first, and sorted only where there are several: to sort those of every account and session is
-- half of the work.
create function risk.book_inputs(as_of timestamptz)
returns table (
    account_id text,
    session_date date,
    input_fingerprint bigint,
    fill_count bigint,
    is_incomplete boolean
)
language sql
stable
parallel safe
as $$
    with delivered as not materialized (
        select
            current_ones.account_id,
            current_ones.session_date,
            current_ones.delivery_id,
            current_ones.loaded_count,
            current_ones.lost_count > 0 or current_ones.stated_count is not null as is_incomplete
        from risk.current_deliveries(book_inputs.as_of) as current_ones
        where
            current_ones.loaded_count > 0
            or current_ones.lost_count > 0
            or current_ones.stated_count is not null
    ),

    applied as (
        select
            corrected.delivery_id,
            corrected.correcting_delivery_id,
            corrected.kind
        from risk.applied_corrections(book_inputs.as_of) as corrected
    ),

    parts as (
        select
            delivered.account_id,
            delivered.session_date,
            delivered.delivery_id,
            delivered.loaded_count as fill_count,
            delivered.is_incomplete
        from delivered
        union all
        select
            delivered.account_id,
            delivered.session_date,
            corrections.delivery_id,
            -1 as fill_count,
            false as is_incomplete
        from delivered
        inner join risk.corrections on delivered.delivery_id = corrections.delivery_id
        union all
        select
            delivered.account_id,
            delivered.session_date,
            applied.correcting_delivery_id as delivery_id,
            case applied.kind when 'canceled' then -1 else 0 end as fill_count,
            false as is_incomplete
        from delivered
        inner join applied on delivered.delivery_id = applied.delivery_id
        -- Without any, the deliveries are not looked at once more.
        where exists (select from risk.corrections)
    ),

    collected as (
        select
            parts.account_id,
            parts.session_date,
            min(parts.delivery_id) as first_delivery_id,
            max(parts.delivery_id) as last_delivery_id,
            array_agg(parts.delivery_id) as delivery_ids,
            sum(parts.fill_count)::bigint as fill_count,
            bool_or(parts.is_incomplete) as is_incomplete
        from parts
        group by
            parts.session_date,
            parts.account_id
    )

    select
        collected.account_id,
        collected.session_date,
        case
            when collected.first_delivery_id = collected.last_delivery_id then collected.first_delivery_id
            else
                -1 - (
                    hashtextextended(
                        (
                            select string_agg(distinct listed.delivery_id::text, ' ' order by listed.delivery_id::text)
                            from unnest(collected.delivery_ids) as listed (delivery_id)
                        ),
                        0
                    ) & 4611686018427387903
                )
        end as input_fingerprint,
        collected.fill_count,
        collected.is_incomplete
    from collected
$$;

comment on function risk.book_inputs(timestamptz) is
'What the books of an account-session are built from, as known at an instant. input_fingerprint: the delivery '
'with the fills; where others brought corrections, a negative hash of them all. fill_count: fills that count; 0 '
'where all were canceled, only corrections came or every row was rejected. is_incomplete: rows that may be '
'executions are lost. Grain: one row per account and session.';
