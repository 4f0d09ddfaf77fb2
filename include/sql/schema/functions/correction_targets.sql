-- Ids may start anew every day: from the session of each correction backwards, the search ends at the first one with a
-- fill that it may mean. To read all fills of its account takes a hundred times as long. Neither LIMIT nor OFFSET 0 is
-- for its rows: with them the planner looks for the fills delivery by delivery, in the order of the sessions.
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
    with delivered as materialized (
        select
            current_ones.delivery_id,
            current_ones.account_id,
            current_ones.session_date
        from risk.current_deliveries(correction_targets.as_of) as current_ones
        -- Of the accounts with corrections, and of all that were renamed: any of these may be one of them.
        where current_ones.source_account_id = any(
            array(
                select corrections.account_id
                from risk.corrections
                union
                select renamed.former_account_id
                from risk.renamed_accounts(correction_targets.as_of) as renamed
                union
                select renamed.account_id
                from risk.renamed_accounts(correction_targets.as_of) as renamed
            )
        )
    ),

    histories as (
        select
            delivered.account_id,
            array_agg(delivered.delivery_id) as delivery_ids,
            array_agg(delivered.session_date) as session_dates
        from delivered
        group by delivered.account_id
    ),

    searched as (
        select
            corrections.delivery_id,
            corrections.line_number,
            corrections.account_id,
            corrections.session_date,
            corrections.fill_key,
            corrections.order_id,
            corrections.symbol,
            histories.delivery_ids,
            histories.session_dates
        from risk.corrections
        inner join delivered on corrections.delivery_id = delivered.delivery_id
        inner join histories on delivered.account_id = histories.account_id
    ),

    candidates as (
        select
            searched.delivery_id as correcting_delivery_id,
            searched.line_number as correcting_line_number,
            fills.delivery_id,
            fills.line_number,
            fills.symbol = searched.symbol as is_of_symbol,
            rank() over (
                partition by
                    searched.delivery_id,
                    searched.line_number
                order by
                    (fills.account_id = searched.account_id) desc,
                    fills.account_id asc,
                    coalesce(fills.order_id = searched.order_id, false) desc
            ) as place
        from searched
        cross join lateral (
            select backwards.session_date
            from (
                select
                    listed.delivery_id,
                    listed.session_date
                from unnest(searched.delivery_ids, searched.session_dates) as listed (delivery_id, session_date)
                where listed.session_date <= searched.session_date
                order by listed.session_date desc
                offset 0
            ) as backwards
            cross join lateral (
                select
                from risk.fills
                where
                    fills.delivery_id = backwards.delivery_id
                    and fills.fill_key = searched.fill_key
                    and coalesce(fills.order_id = searched.order_id, true)
                limit 1
            ) as found
            order by backwards.session_date desc
            limit 1
        ) as newest
        cross join lateral
            unnest(searched.delivery_ids, searched.session_dates) as corrected (delivery_id, session_date)
        cross join lateral (
            select
                fills.delivery_id,
                fills.line_number,
                fills.account_id,
                fills.symbol,
                fills.order_id
            from risk.fills
            where
                fills.delivery_id = corrected.delivery_id
                and fills.fill_key = searched.fill_key
                and coalesce(fills.order_id = searched.order_id, true)
            offset 0
        ) as fills
        where corrected.session_date = newest.session_date
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
