# SPDX-License-Identifier: MIT
# Stands in for the public mysql image: a real MySQL of Debian unstable, out of the folder that tests/harness/mysql_root.sh makes.
FROM notes-test/mysql-root
RUN groupmod --gid 999 mysql && usermod --uid 999 --gid 999 --home /var/lib/mysql mysql \
    && mkdir -p /etc/mysql/conf.d /var/lib/mysql /var/lib/mysql-files /run/mysqld /docker-entrypoint-initdb.d \
    && rm -f /etc/my.cnf /etc/mysql/my.cnf \
    && chown mysql:mysql /var/lib/mysql /var/lib/mysql-files /run/mysqld \
    && chmod 1777 /var/lib/mysql /run/mysqld && chmod 0750 /var/lib/mysql-files
COPY mysql.cnf /etc/my.cnf
COPY database-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
VOLUME /var/lib/mysql
EXPOSE 3306 33060
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mysqld"]
