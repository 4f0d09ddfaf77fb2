-- Not plain SQL, so that the planner does not inline it: it often has no row, and a plan with its parts in every
-- statement that reads fills is slow to make.
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
language plpgsql
stable
parallel safe
as $$
#variable_conflict use_column
begin
    if not exists (select from risk.corrections) then
        return;
    end if;
    return query
    select distinct on (targets.delivery_id, targets.line_number)
        targets.delivery_id,
        targets.line_number,
        targets.correcting_delivery_id,
        corrections.kind,
        corrections.side,
        corrections.quantity,
        corrections.symbol,
        corrections.price,
        corrections.currency,
        corrections.fees_usd
    from risk.correction_targets(applied_corrections.as_of) as targets
    inner join risk.corrections
        on
            targets.correcting_delivery_id = corrections.delivery_id
            and targets.correcting_line_number = corrections.line_number
    where targets.target_count = 1
    order by
        targets.delivery_id asc,
        targets.line_number asc,
        corrections.session_date desc,
        corrections.executed_at desc,
        corrections.tie_rank desc,
        corrections.line_number desc;
end
$$;

comment on function risk.applied_corrections(timestamptz) is
'The fills that are corrected, and how, as known at an instant, see correction_targets. Of several corrections of a '
'fill the one of the latest session counts, there the latest one, at one instant the last line. A correction whose '
'fill has not come yet has no effect until it comes: nothing depends on the order of arrival. Grain: one row per '
'corrected fill. Units and signs as in corrections.';
