-- Lists the account-sessions of some accounts whose deliveries lack rows that may be executions, and says why.
-- Grain: one row per account and session. Reads: current_deliveries, book_inputs, fill_rejects.
-- Binds: as_of, through_session_date, account_ids, first_session_dates (arrays of equal length).
-- basis_id: what daily_pnl notes as the basis of the account and session. reason: sentences.
with touched as (
    select
        listed.account_id,
        listed.first_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
),

incomplete as (
    select
        booked.session_date,
        booked.account_id,
        booked.input_fingerprint as basis_id,
        current_ones.delivery_id,
        current_ones.file_name,
        current_ones.row_count,
        current_ones.lost_count,
        current_ones.stated_count
    from risk.book_inputs(%(as_of)s) as booked
    inner join touched
        on
            booked.account_id = touched.account_id
            and booked.session_date >= touched.first_session_date
    inner join risk.current_deliveries(%(as_of)s) as current_ones
        on
            booked.account_id = current_ones.account_id
            and booked.session_date = current_ones.session_date
    where
        booked.is_incomplete
        and booked.session_date <= %(through_session_date)s
        and (current_ones.lost_count > 0 or current_ones.stated_count is not null)
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
