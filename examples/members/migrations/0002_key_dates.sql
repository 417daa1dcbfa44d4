-- Days, so that a key in use costs one write each day.
ALTER TABLE api_keys ADD COLUMN made TEXT;
ALTER TABLE api_keys ADD COLUMN used TEXT;
