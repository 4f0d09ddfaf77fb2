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
    with delivered as (
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
    )

    select
        parts.account_id,
        parts.session_date,
        case
            when min(parts.delivery_id) = max(parts.delivery_id) then min(parts.delivery_id)
            else
                -1 - (
                    hashtextextended(
                        string_agg(distinct parts.delivery_id::text, ' ' order by parts.delivery_id::text), 0
                    ) & 4611686018427387903
                )
        end as input_fingerprint,
        sum(parts.fill_count)::bigint as fill_count,
        bool_or(parts.is_incomplete) as is_incomplete
    from parts
    group by
        parts.account_id,
        parts.session_date
$$;

comment on function risk.book_inputs(timestamptz) is
'What the books of an account-session are built from, as known at an instant. input_fingerprint: the delivery '
'with the fills; where others brought corrections, a negative hash of them all. fill_count: fills that count; 0 '
'where all were canceled, only corrections came or every row was rejected. is_incomplete: rows that may be '
'executions are lost. Grain: one row per account and session.';
