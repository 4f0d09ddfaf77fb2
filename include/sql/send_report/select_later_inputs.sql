-- Checks whether an input of the run's history was recorded after the run's cut-off.
-- Grain: one row. Reads: deliveries, marks, instruments, splits, adjustments, corrections, accounts.
-- If so, the books may contain more than the run knew, and the stored report stays valid. A correction or a rename that
-- comes with a later session may change earlier ones.
select
    exists (
        select 1
        from risk.deliveries
        where
            deliveries.session_date <= %(session_date)s
            and deliveries.recorded_at > %(as_of)s
    ) or exists (
        select 1
        from risk.marks
        where
            marks.session_date <= %(session_date)s
            and marks.recorded_at > %(as_of)s
    ) or exists (
        select 1
        from risk.instruments
        where
            instruments.valid_from <= %(session_date)s
            and instruments.recorded_at > %(as_of)s
    ) or exists (
        select 1
        from risk.splits
        where
            splits.session_date <= %(session_date)s
            and splits.recorded_at > %(as_of)s
    ) or exists (
        select 1
        from risk.adjustments
        where
            adjustments.session_date <= %(session_date)s
            and adjustments.recorded_at > %(as_of)s
    ) or exists (
        select 1
        from risk.corrections
        inner join risk.deliveries on corrections.delivery_id = deliveries.delivery_id
        where deliveries.recorded_at > %(as_of)s
    ) or exists (
        select 1
        from risk.accounts
        where
            accounts.former_account_id is not null
            and accounts.recorded_at > %(as_of)s
    ) as is_superseded;
