-- Not plain SQL, so that the planner does not inline it: it nearly always has no row, as renamed_accounts.
create function risk.withdrawn_deliveries(as_of timestamptz)
returns table (
    delivery_id bigint,
    account_id text,
    session_date date,
    withdrawal_id bigint
)
language plpgsql
stable
parallel safe
rows 1
as $$
#variable_conflict use_column
begin
    return query
    with newest as (
        select distinct on (withdrawals.account_id, withdrawals.session_date)
            withdrawals.withdrawal_id,
            withdrawals.account_id,
            withdrawals.session_date,
            withdrawals.through_delivery_id,
            withdrawals.is_undone
        from risk.withdrawals
        where withdrawals.recorded_at <= withdrawn_deliveries.as_of
        order by
            withdrawals.account_id asc,
            withdrawals.session_date asc,
            withdrawals.withdrawal_id desc
    )

    select
        deliveries.delivery_id,
        coalesce(renamed.account_id, newest.account_id) as account_id,
        newest.session_date,
        newest.withdrawal_id
    from newest
    inner join risk.deliveries
        on
            newest.account_id = deliveries.account_id
            and newest.session_date = deliveries.session_date
            and newest.through_delivery_id >= deliveries.delivery_id
    left join risk.renamed_accounts(withdrawn_deliveries.as_of) as renamed
        on
            newest.account_id = renamed.former_account_id
            and newest.session_date >= renamed.starts_at
            and newest.session_date < renamed.ends_before
    where not newest.is_undone;
end
$$;

comment on function risk.withdrawn_deliveries(timestamptz) is
'The deliveries that a person has withdrawn, as known at an instant: none of them counts. account_id: the present '
'name. Grain: one row per delivery.';
