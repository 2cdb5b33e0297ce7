// Everything the app runs on, in one resource group. The group itself: resource-group.bicep. Names that the
// code knows too stand in names.json, alarms in alarms.json; a test compares both with the code.

@description('Required. Short name of the environment, such as dev or prod.')
@minLength(2)
@maxLength(8)
param environmentName string

@description('Optional. Region. The policy knows no transfer out of the EU, so it is one of the EU.')
@allowed(['westeurope', 'northeurope', 'swedencentral', 'germanywestcentral', 'francecentral'])
param location string = 'westeurope'

@description('Optional. Whether this is the first deployment of the group: its workspace has no masking rule yet.')
param isFirstDeployment bool = false

@description('Optional. Name of the app, part of its address.')
@minLength(2)
@maxLength(32)
param appName string = 'func-${environmentName}-${uniqueString(resourceGroup().id)}'

@description('Optional. Name of the database account. The products use the same one.')
@minLength(3)
param cosmosName string = 'cosmos-${environmentName}-${uniqueString(resourceGroup().id)}'

@description('Optional. Name of the storage account of blobs about people. The products use the same one.')
@minLength(3)
param dataStorageName string = 'std${environmentName}${uniqueString(resourceGroup().id)}'

@description('Optional. Name of the storage account of the host.')
param hostStorageName string = 'sth${environmentName}${uniqueString(resourceGroup().id)}'

@description('Optional. Name of the vault.')
param vaultName string = 'kv-${environmentName}-${take(uniqueString(resourceGroup().id), 12)}'

@description('Optional. Whether to make the containers of the systems of record. Where products own them: no.')
param createSystemsOfRecord bool = false

@description('Optional. Name of the database of the systems of record.')
param systemsDatabase string = 'clicklearn'

@description('Optional. Name of our own database.')
param complianceDatabase string = 'compliance'

@description('Optional. How the database is paid.')
@allowed(['serverless', 'autoscale'])
param cosmosCapacity string = 'serverless'

@description('Optional. With autoscale: the highest rate of each database, in RU/s.')
@minValue(1000)
param cosmosAutoscaleMaximum int = 4000

@description('Optional. Whether the database spreads over availability zones.')
param isZoneRedundant bool = false

@description('Optional. Redundancy of both storage accounts.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageRedundancy string = 'Standard_ZRS'

@description('Optional. For how many days the database can be restored; letters name it. 30 only if needed.')
@allowed([7, 30])
param cosmosBackupDays int = 7

@description('Optional. For how many days a deleted blob can be restored; letters name it.')
@minValue(1)
@maxValue(30)
param blobSoftDeleteDays int = 7

@description('Optional. How many days a proof cannot be changed or deleted.')
@minValue(1)
param evidenceDays int = 365

@description('Optional. How many days logs are kept.')
@minValue(30)
@maxValue(365)
param logDays int = 30

@description('Optional. Cap of logs in a day, in GB; -1: none.')
param logGigabytesPerDay int = 5

@description('Optional. Whether stores answer in a network of our own only. The account of copies keeps its public endpoint.')
param usePrivateNetwork bool = false

@description('Optional. Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. Most instances at a time.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Optional. Requests that one instance answers at a time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('Optional. Instances that are always there, such as {name: http, instanceCount: 1}.')
param alwaysReady array = []

@description('Optional. Object id of the identity that deploys from the pipeline; empty: its role is given by hand.')
param deployerPrincipalId string = ''

@description('Required. Who gets alarms by mail; a shared mailbox.')
@minLength(3)
param alarmEmail string

@description('Optional. Where people reach the doors; empty: the app\'s own address.')
param publicUrl string = ''

@description('Optional. Sites whose pages may call the doors.')
param corsOrigins array = ['https://clicklearn.com', 'https://www.clicklearn.com']

@description('Optional. Where a plain form\'s sender is sent back to; empty: a page of the app.')
param allowedReturnUrl string = ''

@description('Required. Name of the controller in letters.')
@minLength(1)
param controllerName string

@description('Required. Postal address of the controller.')
@minLength(1)
param controllerAddress string

@description('Required. Mail address of the controller for data protection.')
@minLength(3)
param controllerEmail string

@description('Optional. Name of the supervisory authority.')
param authorityName string = 'Datatilsynet'

@description('Optional. Postal address of the authority.')
param authorityAddress string = 'Carl Jacobsens Vej 35, 2500 Valby, Denmark'

@description('Optional. Mail address of the authority.')
param authorityEmail string = 'dt@datatilsynet.dk'

@description('Optional. Site of the authority.')
param authorityUrl string = 'https://www.datatilsynet.dk'

@description('Required. Day on which somebody checked these contacts, such as 2026-11-01; empty: nobody did, and no letter goes out.')
param contactsVerifiedOn string

@description('Required. Mailbox that letters are sent from.')
@minLength(3)
param graphMailbox string

@description('Optional. Tenant whose accounts are staff.')
param staffTenantId string = subscription().tenantId

@description('Required. App registration of the operations API.')
@minLength(36)
param staffClientId string

@description('Optional. JSON object from an account\'s object id to the customers whose installations it administers.')
param staffCustomers string = '{}'

@description('Optional. Whether App Service signs staff in too; the app then trusts its header.')
param useEasyAuth bool = false

@description('Optional. SHA-256 of the key our other systems send, in hex; a digest and no secret. Empty: none may ask.')
param systemKeyDigest string = ''

@description('Optional. Id of the Campaign Monitor client; empty: not connected, and no key is asked of the vault.')
param campaignMonitorClientId string = ''

@description('Optional. JSON array of the mailing lists we know and what each is for.')
param campaignMonitorLists string = '[]'

@description('Optional. SHA-256, in hex, of the secrets that its webhooks end with, by commas; digests and no secrets. Two while one replaces the other.')
param webhookDigests string = ''

@description('Optional. Id of the Google Analytics property whose users are deleted; empty: not connected, and the next three are not needed.')
param googleAnalyticsPropertyId string = ''

@description('Optional. Provider of the Google identity pool that believes our identity: //iam.googleapis.com/projects/...')
param googleAudience string = ''

@description('Optional. Address of the Google service account that we act as, with rights on the property.')
param googleServiceAccount string = ''

@description('Optional. Application id URI that our identity asks a token for, as the pool expects it: api://...')
param googleAzureResource string = ''

@description('Optional. Certificate of the OpenDSR key, in PEM or Base64; empty: no OpenDSR, and no key is asked of the vault.')
param opendsrCertificate string = ''

@description('Optional. Days that the mailbox keeps what it sent, as its own policy says; 0: nobody said, which production refuses.')
@minValue(0)
@maxValue(3660)
param sentMailDays int = 0

@description('Optional. Days that a finished copy waits for its person.')
@minValue(1)
@maxValue(30)
param packageDays int = 14

@description('Optional. Days that a request waits for its confirmation.')
@minValue(1)
@maxValue(30)
param verificationDays int = 7

@description('Optional. Seconds between a plan and its execution, to cancel.')
@minValue(0)
@maxValue(604800)
param erasureGraceSeconds int = 0

@description('Optional. Requests of one address in an hour.')
@minValue(1)
param requestsPerAddressHour int = 5

@description('Optional. Requests of one caller in an hour.')
@minValue(1)
param requestsPerClientHour int = 30

@description('Optional. Erasures begun in an hour; one more stops them all.')
@minValue(1)
param erasuresPerHour int = 200

@description('Optional. Days ahead that the review of a hold lies at most.')
@minValue(1)
@maxValue(3660)
param holdReviewDays int = 366

@description('Optional. An erasure of more records needs two approvers.')
@minValue(1)
param massRecords int = 10000

@description('Optional. Days before a membership ends by time on which the member is told. 0: nobody is told; the controller decides.')
@minValue(0)
@maxValue(365)
param membershipWarningDays int = 0

@description('Optional. RU/s of each container that scheduled deletion may use, all instances together. 0: as many as there are.')
@minValue(0)
@maxValue(1000000)
param retentionUnitsPerSecond int = 0

@description('Optional. Requests to each container in a second, as above. 0: as many as there are.')
@minValue(0)
@maxValue(100000)
param retentionRequestsPerSecond int = 0

@description('Optional. Hours in Copenhagen in which scheduled deletion rests, such as 07:00-18:00; empty: none.')
param retentionQuietHours string = ''

var names = loadJsonContent('names.json')
var suffix = '${environmentName}-${uniqueString(resourceGroup().id)}'
var deploymentContainer = 'deployment'
var tags = {
  'azd-env-name': environmentName
  application: 'data-protection'
}
var storeAccess = usePrivateNetwork ? 'Disabled' : 'Enabled'
var networkDefault = usePrivateNetwork ? 'Deny' : 'Allow'
var secretPrefix = '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets'
// What shared/settings.py reads. A value from the vault is a reference that the platform resolves.
var settings = {
  DEPLOYMENT: 'azure'
  COSMOS_ENDPOINT: cosmos.outputs.endpoint
  COSMOS_SYSTEMS_DATABASE: systemsDatabase
  COSMOS_COMPLIANCE_DATABASE: complianceDatabase
  COSMOS_BACKUP_DAYS: string(cosmosBackupDays)
  STORAGE_BLOB_URI: dataStorage.outputs.blobUri
  STORAGE_QUEUE_URI: hostStorage.outputs.queueUri
  BLOB_SOFT_DELETE_DAYS: string(blobSoftDeleteDays)
  MANAGED_IDENTITY_CLIENT_ID: identity.outputs.clientId
  PSEUDONYM_KEY: '${secretPrefix}/${names.secrets.pseudonymKey})'
  PUBLIC_URL: empty(publicUrl) ? 'https://${appName}.azurewebsites.net/api' : publicUrl
  SYSTEM_KEY_SHA256: systemKeyDigest
  ALLOWED_RETURN_URL: allowedReturnUrl
  ALLOWED_ORIGINS: join(corsOrigins, ',')
  CONTROLLER_NAME: controllerName
  CONTROLLER_ADDRESS: controllerAddress
  CONTROLLER_EMAIL: controllerEmail
  AUTHORITY_NAME: authorityName
  AUTHORITY_ADDRESS: authorityAddress
  AUTHORITY_EMAIL: authorityEmail
  AUTHORITY_URL: authorityUrl
  CONTACTS_VERIFIED_ON: contactsVerifiedOn
  GRAPH_MAILBOX: graphMailbox
  CAMPAIGN_MONITOR_CLIENT_ID: campaignMonitorClientId
  CAMPAIGN_MONITOR_API_KEY: empty(campaignMonitorClientId) ? '' : '${secretPrefix}/${names.secrets.campaignMonitorApiKey})'
  CAMPAIGN_MONITOR_LISTS: campaignMonitorLists
  CAMPAIGN_MONITOR_WEBHOOK_SECRETS_SHA256: webhookDigests
  GOOGLE_ANALYTICS_PROPERTY_ID: googleAnalyticsPropertyId
  GOOGLE_AUDIENCE: googleAudience
  GOOGLE_SERVICE_ACCOUNT: googleServiceAccount
  GOOGLE_AZURE_RESOURCE: googleAzureResource
  STAFF_TENANT_ID: staffTenantId
  STAFF_CLIENT_ID: staffClientId
  STAFF_CUSTOMERS: staffCustomers
  TRUST_EASYAUTH: string(useEasyAuth)
  OPENDSR_KEY: empty(opendsrCertificate) ? '' : '${secretPrefix}/${names.secrets.opendsrKey})'
  OPENDSR_CERTIFICATE: opendsrCertificate
  OPENDSR_CONTROLLERS: empty(opendsrCertificate) ? '' : '${secretPrefix}/${names.secrets.opendsrControllers})'
  LOG_DAYS: string(logDays)
  SENT_MAIL_DAYS: string(sentMailDays)
  PACKAGE_DAYS: string(packageDays)
  VERIFICATION_DAYS: string(verificationDays)
  ERASURE_GRACE_SECONDS: string(erasureGraceSeconds)
  REQUESTS_PER_ADDRESS_HOUR: string(requestsPerAddressHour)
  REQUESTS_PER_CLIENT_HOUR: string(requestsPerClientHour)
  ERASURES_PER_HOUR: string(erasuresPerHour)
  HOLD_REVIEW_DAYS: string(holdReviewDays)
  MASS_RECORDS: string(massRecords)
  MEMBERSHIP_WARNING_DAYS: string(membershipWarningDays)
  RETENTION_UNITS_PER_SECOND: string(retentionUnitsPerSecond)
  RETENTION_REQUESTS_PER_SECOND: string(retentionRequestsPerSecond)
  RETENTION_QUIET_HOURS: retentionQuietHours
}

module identity './modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-${suffix}'
    location: location
    tags: tags
  }
}

module monitoring './modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    suffix: suffix
    location: location
    tags: tags
    retentionDays: logDays
    dailyCapGigabytes: logGigabytesPerDay
    isFirstDeployment: isFirstDeployment
  }
}

module hostStorage './modules/host-storage.bicep' = {
  name: 'host-storage'
  params: {
    name: hostStorageName
    location: location
    tags: tags
    queues: names.queues
    deploymentContainer: deploymentContainer
    publicNetworkAccess: storeAccess
    networkDefault: networkDefault
    workspaceId: monitoring.outputs.workspaceId
    redundancy: storageRedundancy
  }
}

module dataStorage './modules/data-storage.bicep' = {
  name: 'data-storage'
  params: {
    name: dataStorageName
    location: location
    tags: tags
    containers: names.blobContainers
    createSystemsOfRecord: createSystemsOfRecord
    packageDays: packageDays
    softDeleteDays: blobSoftDeleteDays
    evidenceDays: evidenceDays
    workspaceId: monitoring.outputs.workspaceId
    redundancy: storageRedundancy
  }
}

module cosmos './modules/cosmos.bicep' = {
  name: 'cosmos'
  params: {
    name: cosmosName
    location: location
    tags: tags
    systemsDatabase: systemsDatabase
    complianceDatabase: complianceDatabase
    complianceContainers: names.compliance
    systemsContainers: names.systems
    createSystemsOfRecord: createSystemsOfRecord
    capacity: cosmosCapacity
    autoscaleMaximum: cosmosAutoscaleMaximum
    backupDays: cosmosBackupDays
    publicNetworkAccess: storeAccess
    workspaceId: monitoring.outputs.workspaceId
    isZoneRedundant: isZoneRedundant
  }
}

module vault './modules/key-vault.bicep' = {
  name: 'key-vault'
  params: {
    name: vaultName
    location: location
    tags: tags
    publicNetworkAccess: storeAccess
    networkDefault: networkDefault
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network './modules/network.bicep' = if (usePrivateNetwork) {
  name: 'network'
  params: {
    suffix: suffix
    location: location
    tags: tags
    hostStorageId: hostStorage.outputs.id
    dataStorageId: dataStorage.outputs.id
    cosmosId: cosmos.outputs.id
    vaultId: vault.outputs.id
  }
}

// Before the app: its first start already reads its package and its secrets with these.
module roles './modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    hostStorageName: hostStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
    containers: names.blobContainers
    cosmosName: cosmos.outputs.name
    systemsDatabase: systemsDatabase
    complianceDatabase: complianceDatabase
    createdInSystems: names.createdInSystems
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module app './modules/function-app.bicep' = {
  name: 'function-app'
  dependsOn: [roles]
  params: {
    name: appName
    planName: 'plan-${suffix}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostBlobUri: hostStorage.outputs.blobUri
    hostQueueUri: hostStorage.outputs.queueUri
    hostTableUri: hostStorage.outputs.tableUri
    deploymentContainer: deploymentContainer
    insightsConnection: monitoring.outputs.insightsConnection
    settings: settings
    corsOrigins: corsOrigins
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    alwaysReady: alwaysReady
    integrationSubnetId: usePrivateNetwork ? network.outputs.integrationSubnetId : ''
    useEasyAuth: useEasyAuth
    staffClientId: staffClientId
    staffTenantId: staffTenantId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module deployer './modules/deployer.bicep' = if (!empty(deployerPrincipalId)) {
  name: 'deployer'
  params: {
    principalId: deployerPrincipalId
    appName: app.outputs.name
  }
}

module alarms './modules/alarms.bicep' = {
  name: 'alarms'
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    cosmosId: cosmos.outputs.id
    vaultId: vault.outputs.id
    email: alarmEmail
    rules: loadJsonContent('alarms.json')
  }
}

module workbook './modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    content: loadTextContent('workbook.json')
  }
}

@description('Name of the app, which the pipeline deploys to.')
output APP_NAME string = app.outputs.name

@description('Where the app answers.')
output APP_URL string = app.outputs.url

@description('Name of the vault that the secrets are put into.')
output VAULT_NAME string = vault.outputs.name

@description('Name of the database account.')
output DATABASE_ACCOUNT string = cosmos.outputs.name

@description('Name of the storage account of blobs about people.')
output DATA_STORAGE_ACCOUNT string = dataStorage.outputs.name

@description('Object id of the app\'s identity, which the mailbox has to let in.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Client id of the app\'s identity, by which Exchange knows it.')
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
