-- Compares an account's newest features with its own past: where among its earlier values each one is.
-- Grain: one row per feature. Reads: features. Binds: account_id.
with newest as (
    select
        features.session_date,
        to_jsonb(features) as feature_values
    from derived.features
    where features.account_id = %(account_id)s
    order by features.session_date desc
    limit 1
),

earlier as (
    select
        named.feature_name,
        named.feature_value::double precision as feature_value
    from derived.features
    inner join newest on features.session_date < newest.session_date
    cross join
        lateral jsonb_each_text(
            to_jsonb(features) - array['account_id', 'session_date', 'feature_set_version']
        ) as named (feature_name, feature_value)
    where
        features.account_id = %(account_id)s
        and named.feature_value is not null
),

norms as (
    select
        earlier.feature_name,
        percentile_cont(array[0.1, 0.5, 0.9]) within group (order by earlier.feature_value asc) as deciles
    from earlier
    group by earlier.feature_name
)

select
    newest.session_date,
    named.feature_name,
    named.feature_value::double precision as feature_value,
    norms.deciles[1] as low_value,
    norms.deciles[2] as usual_value,
    norms.deciles[3] as high_value
from newest
cross join
    lateral jsonb_each_text(
        newest.feature_values - array['account_id', 'session_date', 'feature_set_version']
    ) as named (feature_name, feature_value)
left join norms on named.feature_name = norms.feature_name
order by named.feature_name asc;
