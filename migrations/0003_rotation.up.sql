-- No row is under a cluster key that is not there: neither is a key taken away that something is under, nor is a row
-- written under one that was taken away meanwhile.

ALTER TABLE signing_key ADD CONSTRAINT signing_key_code FOREIGN KEY (code_key) REFERENCES signing_cluster_key (id);
ALTER TABLE certifying_key ADD CONSTRAINT certifying_key_code FOREIGN KEY (code_key) REFERENCES certifying_cluster_key (id);
ALTER TABLE signing_grant ADD CONSTRAINT signing_grant_code FOREIGN KEY (code_key) REFERENCES signing_cluster_key (id);
ALTER TABLE proposal ADD CONSTRAINT proposal_code FOREIGN KEY (code_key) REFERENCES certifying_cluster_key (id);
