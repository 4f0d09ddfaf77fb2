-- Stores features that are new or differ from the stored ones.
-- Grain: one row per account and session. Reads: given_features. Writes: features. Binds: -. Money: -.
-- Rerun: writes nothing where nothing has changed.
insert into derived.features (
    account_id,
    session_date,
    feature_values
)
select
    given_features.account_id,
    given_features.session_date,
    given_features.feature_values
from given_features
left join derived.features as stored
    on
        given_features.account_id = stored.account_id
        and given_features.session_date = stored.session_date
where given_features.feature_values is distinct from stored.feature_values
on conflict (account_id, session_date) do update set
    feature_values = excluded.feature_values;
