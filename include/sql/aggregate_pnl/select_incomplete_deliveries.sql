-- Says why the books of some account-sessions are incomplete: their deliveries lack rows that may be executions.
-- Grain: one row per account and session. Reads: deliveries, fill_rejects.
-- Binds: of these deliveries, account_ids, session_dates, basis_ids and delivery_ids (arrays of equal length).
-- basis_id: what daily_pnl notes as the basis of the account and session. reason: sentences.
with incomplete as (
    select
        listed.session_date,
        listed.account_id,
        listed.basis_id,
        deliveries.delivery_id,
        deliveries.file_name,
        deliveries.row_count,
        deliveries.lost_count,
        deliveries.stated_count
    from
        unnest(%(session_dates)s::date[], %(account_ids)s::text[], %(basis_ids)s::bigint[], %(delivery_ids)s::bigint[])
            as listed (session_date, account_id, basis_id, delivery_id)
    inner join risk.deliveries on listed.delivery_id = deliveries.delivery_id
),

first_rejects as (
    select distinct on (fill_rejects.delivery_id)
        fill_rejects.delivery_id,
        fill_rejects.reason
    from risk.fill_rejects
    inner join incomplete on fill_rejects.delivery_id = incomplete.delivery_id
    order by
        fill_rejects.delivery_id asc,
        fill_rejects.line_number asc
)

select
    incomplete.session_date,
    incomplete.account_id,
    incomplete.basis_id,
    string_agg(
        concat_ws(
            ' ',
            case
                when incomplete.stated_count is not null
                    then
                        concat(
                            incomplete.file_name, ' has ', incomplete.row_count, ' rows and manifest.csv states ',
                            incomplete.stated_count, '. Deliver the file again, complete, or correct the manifest.'
                        )
            end,
            case
                when incomplete.lost_count > 0
                    then
                        concat(
                            incomplete.lost_count, ' of ', incomplete.row_count, ' rows of ', incomplete.file_name,
                            ' rejected; first: ', first_rejects.reason
                        )
            end
        ),
        ' ' order by incomplete.delivery_id
    ) as reason
from incomplete
left join first_rejects on incomplete.delivery_id = first_rejects.delivery_id
group by
    incomplete.session_date,
    incomplete.account_id,
    incomplete.basis_id
order by
    incomplete.session_date,
    incomplete.account_id;
