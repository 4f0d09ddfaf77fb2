-- Checks whether an input of the run's history was recorded after the run's cut-off.
-- Grain: one row. Reads: deliveries, marks, instruments, splits, adjustments, corrections, accounts.
-- If so, the books may contain more than the run knew, and the stored report stays valid. A correction, a rename
-- or a base limit that comes with a later session may change earlier ones.
with inputs as (
    select deliveries.recorded_at from risk.deliveries where deliveries.session_date <= %(session_date)s
    union all
    select marks.recorded_at from risk.marks where marks.session_date <= %(session_date)s
    union all
    select instruments.recorded_at from risk.instruments where instruments.valid_from <= %(session_date)s
    union all
    select splits.recorded_at from risk.splits where splits.session_date <= %(session_date)s
    union all
    select adjustments.recorded_at from risk.adjustments where adjustments.session_date <= %(session_date)s
    union all
    select deliveries.recorded_at
    from risk.corrections
    inner join risk.deliveries on corrections.delivery_id = deliveries.delivery_id
    union all
    select accounts.recorded_at
    from risk.accounts
    where accounts.former_account_id is not null or accounts.base_limit_usd is not null
)

select exists(select from inputs where inputs.recorded_at > %(as_of)s) as is_superseded;
