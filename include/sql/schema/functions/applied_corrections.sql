create function risk.applied_corrections(as_of timestamptz)
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
    with targeted as (
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
        from risk.corrections
        inner join risk.current_deliveries(applied_corrections.as_of) as correcting
            on corrections.delivery_id = correcting.delivery_id
        inner join risk.fills
            on
                corrections.fill_key = fills.fill_key
                and corrections.session_date >= fills.session_date
        inner join risk.current_deliveries(applied_corrections.as_of) as corrected
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

    select distinct on (targeted.delivery_id, targeted.line_number)
        targeted.delivery_id,
        targeted.line_number,
        targeted.correcting_delivery_id,
        targeted.kind,
        targeted.side,
        targeted.quantity,
        targeted.symbol,
        targeted.price,
        targeted.currency,
        targeted.fees_usd
    from targeted
    order by
        targeted.delivery_id asc,
        targeted.line_number asc,
        targeted.correcting_session_date desc,
        targeted.correcting_line_number desc
$$;

comment on function risk.applied_corrections(timestamptz) is
'The fills that are corrected, and how, as known at an instant. A correction targets the fill of its account '
'with its id: the one of its own session, else of the newest session before, since ids may start anew every '
'day; of merged accounts the one under its own name first. Of several corrections of a fill the one of the '
'latest session counts, there the last line. A correction whose fill has not come yet has no effect until it '
'comes: nothing depends on the order of arrival. Grain: one row per corrected fill. Units and signs as in '
'corrections.';
