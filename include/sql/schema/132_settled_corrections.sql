-- The one definition of which fills are corrected, and how, as known at an instant.
-- Grain: one row per corrected fill. Reads: corrections, fills, current_deliveries. Writes: -. Binds: -.
-- Money: as in corrections. Rerun: applied once.
-- A correction means the fill of its account with its id: the one of its own session, else that of the newest session
-- before, since ids may start anew every day; of merged accounts the one under its own name first. Of several
-- corrections of a fill the one of the latest session counts, there the last line. One whose fill has not come yet
-- settles nothing, and heals by itself when the fill comes. Nothing here depends on the order of arrival.
-- Replaces 121: accounts may have been renamed or merged.
create or replace function settled_corrections(as_of timestamptz)
returns table (
    delivery_id bigint,
    line_number bigint,
    correcting_delivery_id bigint,
    kind text,
    side text,
    quantity numeric,
    symbol text,
    price numeric,
    currency text,
    fees_usd numeric
)
language sql
stable
parallel safe
as $$
    with aimed as (
        select distinct on (corrections.delivery_id, corrections.line_number)
            fills.delivery_id,
            fills.line_number,
            corrections.delivery_id as correcting_delivery_id,
            corrections.session_date as correcting_session_date,
            corrections.line_number as correcting_line_number,
            corrections.kind,
            corrections.side,
            corrections.quantity,
            corrections.symbol,
            corrections.price,
            corrections.currency,
            corrections.fees_usd
        from corrections
        inner join current_deliveries(settled_corrections.as_of) as correcting
            on corrections.delivery_id = correcting.delivery_id
        inner join fills
            on
                corrections.fill_key = fills.fill_key
                and corrections.session_date >= fills.session_date
        inner join current_deliveries(settled_corrections.as_of) as corrected
            on
                fills.delivery_id = corrected.delivery_id
                and correcting.account_id = corrected.account_id
        order by
            corrections.delivery_id asc,
            corrections.line_number asc,
            fills.session_date desc,
            (fills.account_id = corrections.account_id) desc,
            fills.account_id asc
    )

    select distinct on (aimed.delivery_id, aimed.line_number)
        aimed.delivery_id,
        aimed.line_number,
        aimed.correcting_delivery_id,
        aimed.kind,
        aimed.side,
        aimed.quantity,
        aimed.symbol,
        aimed.price,
        aimed.currency,
        aimed.fees_usd
    from aimed
    order by
        aimed.delivery_id asc,
        aimed.line_number asc,
        aimed.correcting_session_date desc,
        aimed.correcting_line_number desc
$$;
