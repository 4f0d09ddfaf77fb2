create function risk.correction_targets(as_of timestamptz)
returns table (
    correcting_delivery_id bigint,
    correcting_line_number bigint,
    delivery_id bigint,
    line_number bigint,
    target_count bigint
)
language sql
stable
parallel safe
as $$
    with candidates as (
        select
            corrections.delivery_id as correcting_delivery_id,
            corrections.line_number as correcting_line_number,
            fills.delivery_id,
            fills.line_number,
            fills.symbol = corrections.symbol as is_of_symbol,
            rank() over (
                partition by
                    corrections.delivery_id,
                    corrections.line_number
                order by
                    fills.session_date desc,
                    (fills.account_id = corrections.account_id) desc,
                    fills.account_id asc,
                    coalesce(fills.order_id = corrections.order_id, false) desc
            ) as place
        from risk.corrections
        inner join risk.current_deliveries(correction_targets.as_of) as correcting
            on corrections.delivery_id = correcting.delivery_id
        inner join risk.fills
            on
                corrections.fill_key = fills.fill_key
                and corrections.session_date >= fills.session_date
                and coalesce(corrections.order_id = fills.order_id, true)
        inner join risk.current_deliveries(correction_targets.as_of) as corrected
            on
                fills.delivery_id = corrected.delivery_id
                and correcting.account_id = corrected.account_id
    ),

    counted as (
        select
            candidates.correcting_delivery_id,
            candidates.correcting_line_number,
            candidates.delivery_id,
            candidates.line_number,
            candidates.is_of_symbol,
            count(*) over by_correction as target_count,
            count(*) filter (where candidates.is_of_symbol) over by_correction as symbol_count
        from candidates
        where candidates.place = 1
        window by_correction as (
            partition by
                candidates.correcting_delivery_id,
                candidates.correcting_line_number
        )
    )

    select
        counted.correcting_delivery_id,
        counted.correcting_line_number,
        counted.delivery_id,
        counted.line_number,
        case counted.symbol_count when 1 then 1 else counted.target_count end as target_count
    from counted
    where
        counted.symbol_count <> 1
        or counted.is_of_symbol
$$;

comment on function risk.correction_targets(timestamptz) is
'The fills that a correction may mean, as known at an instant: those of its account with its id and, where both '
'state it, its order id, in its own session, else in the newest session before, since ids may start anew every day; '
'of merged accounts under its own name first; where several have the id, the one of its symbol. target_count: how '
'many; a correction with more than one waits. Grain: one row per correction and fill.';
