-- Says what the books of an account-session are built from, as known at an instant.
-- Grain: one row per account and session. Reads: current_deliveries, settled_corrections, corrections. Writes: -.
-- Binds: -. Money: -. Rerun: applied once.
-- delivery_id: the delivery with the fills; where others brought corrections, a negative fingerprint of them all.
-- fill_count: fills that count; 0 where all were canceled or only corrections came.
create function booked_deliveries(as_of timestamptz)
returns table (
    account_id text,
    session_date date,
    delivery_id bigint,
    fill_count bigint
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
            current_ones.loaded_count
        from current_deliveries(booked_deliveries.as_of) as current_ones
        where current_ones.loaded_count > 0
    ),

    settled as (
        select
            corrected.delivery_id,
            corrected.correcting_delivery_id,
            corrected.kind
        from settled_corrections(booked_deliveries.as_of) as corrected
    ),

    parts as (
        select
            delivered.account_id,
            delivered.session_date,
            delivered.delivery_id,
            delivered.loaded_count as fill_count
        from delivered
        union all
        select
            delivered.account_id,
            delivered.session_date,
            corrections.delivery_id,
            -1 as fill_count
        from delivered
        inner join corrections on delivered.delivery_id = corrections.delivery_id
        union all
        select
            delivered.account_id,
            delivered.session_date,
            settled.correcting_delivery_id as delivery_id,
            case settled.kind when 'canceled' then -1 else 0 end as fill_count
        from delivered
        inner join settled on delivered.delivery_id = settled.delivery_id
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
        end as delivery_id,
        sum(parts.fill_count)::bigint as fill_count
    from parts
    group by
        parts.account_id,
        parts.session_date
$$;
